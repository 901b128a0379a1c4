"""numpy and pandas: groups, joins, a rolling mean, a pivot table and a least-squares fit of generated rows."""

import numpy as np
import pandas as pd

rows = 60_000
at = np.arange(rows)
frame = pd.DataFrame(
    {
        "store": (at * 7919) % 97,
        "day": pd.date_range("2026-01-01", periods=365)[(at * 31) % 365],
        "amount": ((at * 104729) % 10007) / 100,
        "kind": np.array(["bread", "milk", "tea", "salt", "rice"])[(at * 13) % 5],
    }
)
stores = pd.DataFrame({"store": np.arange(97), "town": [f"town {i % 11}" for i in range(97)]})
joined = frame.merge(stores, on="store")
print(joined.groupby(["town", "kind"])["amount"].agg(["sum", "mean", "count"]).round(2).head(12).to_string())
pivot = joined.pivot_table(index="town", columns=joined["day"].dt.month, values="amount", aggfunc="sum").round(1)
print(pivot.to_string())
daily = frame.groupby("day")["amount"].sum()
print(daily.rolling(7).mean().dropna().round(3).iloc[::60].to_string())
matrix = np.sin(np.outer(np.arange(160), np.arange(160)) / 50)
print(np.round(np.linalg.svd(matrix, compute_uv=False)[:5], 6).tolist())
features = np.column_stack([np.ones(rows), at % 17, at % 23])
print(np.round(np.linalg.lstsq(features, frame["amount"].to_numpy(), rcond=None)[0], 6).tolist())
frame.sort_values(["amount", "store"]).head(2000).to_csv("/out/frame.csv", index=False)
