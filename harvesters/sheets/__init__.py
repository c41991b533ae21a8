"""How lists of datasets in spreadsheets and CSV files are read: files, headings, inventory, rows, cells, nouns, in that order."""
