"""The language in which people and programs say which jobs they mean: `kind:email.send state:failed older:1h`."""

from webapi.services.job_queries.reading import read
from webapi.services.job_queries.terms import Term

__all__ = ["Term", "read"]
