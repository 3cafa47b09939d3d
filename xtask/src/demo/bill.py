"""Split a bill: everybody pays the same, give or take a cent, and no cent is lost."""


def split(cents, people):
    return [cents // people] * people
