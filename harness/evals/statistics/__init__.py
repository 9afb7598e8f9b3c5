"""How sure a score is, and whether two runs differ: formulas with their sources, no files.

Numpy and scipy are imported when a function needs them.
"""

from harness.evals.statistics.calibration import (
    FEWEST_LABELS,
    Agreement,
    Corrected,
    agreement,
    corrected_score,
    differ,
)
from harness.evals.statistics.paired import (
    Difference,
    compare_scores,
    difference_interval,
    mcnemar,
    sign_flip,
    tango,
)
from harness.evals.statistics.power import DISCORDANT, detectable, detectable_from
from harness.evals.statistics.proportion import (
    FEW_CASES,
    blaker,
    clopper_pearson,
    mid_p,
    proportion,
    wilson,
)
from harness.evals.statistics.repeats import mean_pass_at, mean_pass_hat, pass_at, pass_hat
from harness.evals.statistics.score import (
    FEW_CLUSTERS,
    Method,
    Score,
    clustered_se,
    clusters_of,
    effective_clusters,
    few_sources,
    summarise,
    wilson_clustered,
)
from harness.evals.statistics.several import benjamini_hochberg, holm, luck_of_the_best

__all__ = [
    "DISCORDANT",
    "FEWEST_LABELS",
    "FEW_CASES",
    "FEW_CLUSTERS",
    "Agreement",
    "Corrected",
    "Difference",
    "Method",
    "Score",
    "agreement",
    "benjamini_hochberg",
    "blaker",
    "clopper_pearson",
    "clustered_se",
    "clusters_of",
    "compare_scores",
    "corrected_score",
    "detectable",
    "detectable_from",
    "differ",
    "difference_interval",
    "effective_clusters",
    "few_sources",
    "holm",
    "luck_of_the_best",
    "mcnemar",
    "mean_pass_at",
    "mean_pass_hat",
    "mid_p",
    "pass_at",
    "pass_hat",
    "proportion",
    "sign_flip",
    "summarise",
    "tango",
    "wilson",
    "wilson_clustered",
]
