"""The tenant's language, sans-IO: a profile and a disposition become requests; answers, values."""
