"""Views of the dashboard, one module a page (a folder named `pages` would mean something to Streamlit).

Each shows one `Chosen` run and strategy, and asks everything through `queries`.
"""
