"""An open ETF pipeline from prices to weights, backtest and stress reports: causal, honest, explainable to the row."""

__version__ = "0.1.0"
