import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.lifetimes.parts import Sources, parts, price_premium_share, whole

N = 8
amount = arrays(np.float64, N, elements=st.floats(-1e5, 1e5))
share = arrays(np.float64, N, elements=st.floats(0, 1))
prices = arrays(np.float64, N, elements=st.one_of(st.just(0.0), st.floats(0.01, 1e4)))
sources = st.builds(
    Sources,
    first_price=amount,
    acquisition_cost=amount,
    income=amount,
    premium_share=share.map(lambda x: x - 0.5),
    cross_share=share,
    service_cost=amount,
    usual_service_cost=amount,
    referrals=share,
    referral_value=amount,
)


@given(sources=sources, years=arrays(np.float64, N, elements=st.floats(0, 30)))
def test_the_parts_add_up_to_the_whole(sources, years):
    np.testing.assert_allclose(sum(parts(sources, years).values()), whole(sources, years), rtol=1e-9, atol=1e-3)


def test_one_customer_in_parts():
    each = {
        "first_price": 100,
        "acquisition_cost": 30,
        "income": 1000,
        "premium_share": 0.1,
        "cross_share": 0.25,
        "service_cost": 60,
        "usual_service_cost": 80,
        "referrals": 0.5,
        "referral_value": 200,
    }
    found = parts(Sources(**{name: np.array([float(value)]) for name, value in each.items()}), np.array([2.0]))
    assert {name: part[0] for name, part in found.items()} == {
        "first_purchase": 70,
        "repeats": 1190,
        "cross_sell": 450,
        "service_savings": 40,
        "referral": 200,
        "price_premium": 200,
    }


@given(paid=prices, listed=prices)
def test_premiums_of_all_customers_cancel_out(paid, listed):
    counted = (paid > 0) & (listed > 0)
    premium = price_premium_share(paid, listed)
    assert (premium[~counted] == 0).all()
    np.testing.assert_allclose((premium * paid)[counted].sum(), 0, atol=1e-6)
