from sklearn.cluster import KMeans

from backbone import clustering


@clustering(
    view="SELECT * FROM exploitation.airport_delays",
    key="dest",
    features=["mean_arr_delay", "spread", "late", "very_late", "made_up", "not_reached"],
    gate=["silhouette >= 0.25", "stability >= 0.5"],
)
def airport_profiles():
    """Which destinations are alike in how late one arrives there?"""
    return {str(n): KMeans(n_clusters=n, n_init=10) for n in (2, 3, 4)}
