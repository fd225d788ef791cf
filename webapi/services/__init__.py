"""The product's verbs: a noun a module. Neither HTTP nor Celery is known here."""
