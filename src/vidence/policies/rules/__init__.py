"""The embedded policy: it reads the question by rules and weighs clues of every sense for and against each answer."""
