"""How good a score is: the two figures that the run's summary shows too."""

import numpy as np
from sklearn.metrics import roc_auc_score


def measure(late: np.ndarray, score: np.ndarray) -> dict[str, float]:
    return {"auc": round(float(roc_auc_score(late, score)), 4),
            "precision_top_5_percent": round(precision_at_top(late, score, 0.05), 4)}


def precision_at_top(late: np.ndarray, score: np.ndarray, share: float) -> float:
    """Rows that tie at the cut count in proportion, so that their order does not matter."""
    room = share * len(score)
    cut = np.sort(score)[-int(np.ceil(room))]
    above, at_cut = score > cut, score == cut
    return float((late[above].sum() + late[at_cut].mean() * (room - above.sum())) / room)
