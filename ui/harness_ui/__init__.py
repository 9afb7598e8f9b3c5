"""The web app: pages over the SDK, for people who do not program."""
