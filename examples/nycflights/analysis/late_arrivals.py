from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from backbone import by_time, classification


@classification(
    view="SELECT * FROM exploitation.flight_conditions WHERE arr_delay IS NOT NULL",
    key=["carrier", "flight", "origin", "time_hour"],
    target="arr_delay > 30",
    features=["dep_delay", "carrier", "origin", "distance", "hour", "wind_speed", "visib"],
    split=by_time("time_hour", train_until="2013-09-30"),
    baseline="dep_delay > 30",
    gate=["roc_auc >= baseline.roc_auc + 0.03", "brier <= current.brier + 0.002", "gap(recall, origin) <= 0.1"],
    fairness=["carrier", "origin"],
    predict="SELECT * FROM view WHERE time_hour >= '2013-12-01'",
)
def late_arrivals():
    """Which flights will arrive over 30 minutes late, as far as one can know at departure?"""
    return {
        "logistic": LogisticRegression(max_iter=1000),
        "boosting": HistGradientBoostingClassifier(),
    }
