import pytest

from keepwell.errors import ConfigError
from serving.plans.policy import read_policy


def test_without_a_file_the_default_policy_is_read():
    assert read_policy().plan.value_days == 365


def test_a_changed_copy_of_the_default_is_read(tmp_path):
    from importlib import resources

    text = (resources.files("decisions") / "policy.yaml").read_text(encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(text.replace("vip: 0.01", "vip: 0.02"), encoding="utf-8")
    assert read_policy(tmp_path / "policy.yaml").tiers.vip == 0.02


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "holds no keys"),
        ("- a\n- b", "holds no keys"),
        ("a: [", "is no YAML"),
        ("a: !!python/object:os.system {}", "is no YAML"),
        ("tiers: {vip: 0.01}", "tiers.major: Field required"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, text, match):
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=match):
        read_policy(tmp_path / "policy.yaml")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_policy(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_policy(tmp_path / "binary.yaml")
