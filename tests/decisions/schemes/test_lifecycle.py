import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.labels import Lifecycle, Loyalty, Relation, Status
from decisions.schemes.lifecycle import lifecycle as lifecycle_of
from decisions.schemes.lifecycle import new_to_category, relation, status
from decisions.schemes.loyalty import attached, loyalty
from decisions.schemes.verdict import History
from serving.plans.policy import read_policy

POLICY = read_policy()
N = 20
number = st.one_of(st.floats(0, 2000, allow_nan=False), st.just(np.nan))
column = arrays(np.float64, N, elements=number)
shares = arrays(np.float64, N, elements=st.one_of(st.floats(0, 1), st.just(np.nan)))
flags = arrays(np.bool_, N)


def lifecycle(**columns):
    given = {
        "churn_probability": 0.1,
        "purchase_days": 10,
        "days_since_first_purchase": 800,
        "overdue_ratio": 0.5,
        "spend_growth": 1.0,
    } | columns
    verdict = lifecycle_of(**{name: np.array([value], float) for name, value in given.items()}, policy=POLICY.lifecycle)
    return verdict.words[0]


@given(churn=shares, age=column, was=st.sampled_from([*Status, None]))
def test_status_is_total_and_no_lower_risk_is_nearer_to_lost_among_equal_histories(churn, age, was):
    codes = status(churn, age, POLICY.status, History(np.full(N, was, dtype=object), 0.1)).codes
    assert ((codes >= 0) & (codes < len(Status))).all()
    settled = (age > POLICY.status.new_days) & ~np.isnan(churn)
    assert (np.diff(codes[settled][np.argsort(churn[settled])]) >= 0).all()


def test_status_by_age_and_risk():
    churn, age = np.array([0.95, 0.2, 0.5, 0.9, np.nan]), np.array([10.0, 400, 400, 400, np.nan])
    assert status(churn, age, POLICY.status).words.tolist() == ["new", "active", "lapsing", "lost", "active"]


@given(data=st.data(), was=st.sampled_from([*Lifecycle, None]))
def test_lifecycle_is_total_and_risk_only_ever_leads_to_decline(data, was):
    columns = {
        name: data.draw(column) for name in ("purchase_days", "days_since_first_purchase", "overdue_ratio", "spend_growth")
    }
    low, high = np.sort(data.draw(arrays(np.float64, (2, N), elements=st.floats(0, 1))), axis=0)
    past = History(np.full(N, was, dtype=object), 0.1)
    before = lifecycle_of(churn_probability=low, **columns, policy=POLICY.lifecycle, history=past).codes
    after = lifecycle_of(churn_probability=high, **columns, policy=POLICY.lifecycle, history=past).codes
    assert ((before >= 0) & (before < len(Lifecycle))).all()
    assert ((before == after) | (after == list(Lifecycle).index(Lifecycle.DECLINE))).all()


def test_lifecycle_stages():
    assert lifecycle() == "stable"
    assert lifecycle(purchase_days=2) == lifecycle(purchase_days=1, churn_probability=0.9) == "exploration"
    assert lifecycle(churn_probability=0.5) == lifecycle(overdue_ratio=3) == "decline"
    assert lifecycle(days_since_first_purchase=200) == lifecycle(spend_growth=1.3) == "build-up"
    assert lifecycle(purchase_days=np.nan, overdue_ratio=np.nan, spend_growth=np.nan) == "stable"


@given(bought=column, age=column, discount=shares)
def test_relation_is_total_and_more_purchases_never_end_a_relation(bought, age, discount):
    codes = relation(bought, age, discount, POLICY.relation).codes
    more = relation(bought + 1, age, discount, POLICY.relation).codes
    relational = list(Relation).index(Relation.RELATIONAL)
    assert set(codes) <= {0, 1}
    assert (more[codes == relational] == relational).all()


def test_a_deal_seeker_is_transactional_however_often_they_buy():
    words = relation(np.array([50.0, 50, 2]), np.array([900.0] * 3), np.array([0.4, np.nan, 0]), POLICY.relation).words
    assert words.tolist() == ["transactional", "relational", "transactional"]


@given(bought=column, is_attached=flags, captive=flags, discount=shares, accepted=column)
def test_loyalty_is_total_and_without_repeats_there_is_none(bought, is_attached, captive, discount, accepted):
    codes = loyalty(
        purchase_days=bought,
        is_attached=is_attached,
        no_alternative=captive,
        discount_share=discount,
        contacts_accepted=accepted,
        policy=POLICY.loyalty,
    ).codes
    repeats = bought >= 4
    none = list(Loyalty).index(Loyalty.NONE)
    assert ((codes == none) == ~repeats).all()
    free = repeats & ~captive & ~(discount >= 0.2) & ~(accepted >= 3)
    assert {list(Loyalty)[code] for code in codes[free & is_attached]} <= {"premium"}
    assert {list(Loyalty)[code] for code in codes[free & ~is_attached]} <= {"inertia"}


def one_attached(**columns):
    given = dict.fromkeys(
        ("recommend", "complaint_satisfaction", "active_month_share", "days_since_first_purchase", "complaints_open"), np.nan
    )
    arrays_of_one = {name: np.array([value], float) for name, value in (given | columns).items()}
    return bool(attached(**arrays_of_one, policy=POLICY.loyalty)[0])


def test_attachment_believes_the_customer_first_then_their_behaviour():
    faithful = {"days_since_first_purchase": 500, "active_month_share": 0.8}
    assert one_attached(**faithful)
    assert not one_attached(**faithful, recommend=6)
    assert one_attached(recommend=9)
    assert not one_attached(**faithful, complaint_satisfaction=2)
    assert not one_attached(recommend=10, complaints_open=1)
    assert not one_attached()


def test_a_beginner_in_a_category_is_an_old_customer_who_came_to_it_lately():
    age, newest = np.array([800.0, 800, 100, np.nan, 800]), np.array([30.0, 300, 30, 30, np.nan])
    assert new_to_category(age, newest, POLICY.lifecycle).tolist() == [True, False, False, False, False]
