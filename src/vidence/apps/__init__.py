"""Applications on the memory, the senses and checked evidence: each gives findings, a report and JSON."""

TITLES = {"moderate": "Moderation", "study": "Study", "watch": "Watch", "catalogue": "Catalogue"}
"""By name, what each is called on its page."""
