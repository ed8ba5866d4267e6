"""Applications on the memory, the senses and checked evidence: each gives findings, a report and JSON."""
