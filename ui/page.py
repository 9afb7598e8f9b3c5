"""The script that Streamlit runs for every visit: everything is in `harness_ui`."""

from harness_ui.app import main

main()
