"""The data analysis backbone: from an analytical question to a registered model and its predictions, as steps.

`steps` and `checks` are pure and cheap; `stage` carries a step out and only then imports the `ml` extra.
"""
