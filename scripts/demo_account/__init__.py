"""The demo account, one module per part; `build` puts them together, `record` writes the recording."""
