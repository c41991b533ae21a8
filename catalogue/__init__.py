"""fedcat: a federated dataset catalogue. Read harvest/line.py and you have read the product."""
