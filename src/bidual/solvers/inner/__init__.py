"""Finite programs: amplitudes of given neurons, joint descent of all weights, listed patterns."""
