# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # Who should be treated? Uplift from a randomised campaign
#
# Some customers stay because of a call, some would have stayed anyway, some leave because of it. Only an experiment tells them
# apart. This one is simulated, so at the end the truth is asked.

# %%
import numpy as np

from datasets.experiments import FEATURES, simulate_experiment
from training.uplift.data import Experiment

drawn = simulate_experiment(12_000, seed=4)
experiment = Experiment(
    name="revenue",
    arms=drawn.arms,
    names=FEATURES,
    arm=drawn.arm,
    propensity=drawn.propensity,
    outcome=drawn.revenue,
    matrix=drawn.matrix,
    customer=np.arange(len(drawn.arm)),
    worth=np.ones(len(drawn.arm)),
    costs=drawn.costs,
)

# %% [markdown]
# ## What did each arm bring, on average?

# %%
from training.uplift.report import lines
from training.uplift.study import study

found = study(experiment, share=0.3)
print("\n".join(lines(found)))

# %% [markdown]
# ## Does it matter who is treated?
#
# On customers whom the model has not seen. A curve above its dashed line means that some gain more than others, and we know who.

# %%
from training.uplift.plots import calibration_figure, qini_figure

if found.judged is not None:
    for name, value in found.judged.policies.items():
        print(f"{name:28} treats {value.treated:4.0%}, brings {value.value.value:6.2f} a customer")

# %%
qini_figure(found.judged.curves, "revenue") if found.judged else "nothing to choose"

# %%
calibration_figure(found.judged.groups, "revenue") if found.judged else "nothing to choose"

# %% [markdown]
# ## Was it right?
#
# Only here is the truth known: what each arm brings each customer. A campaign of one's own is judged by its control group alone.

# %%
average = drawn.gain.mean(axis=0)
for arm, effect in zip(drawn.arms, average, strict=True):
    print(f"{arm:12} truly brings {effect:6.2f} a customer before its cost")
