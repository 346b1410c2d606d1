"""A campaign's page: sentences, heat maps of devices, percentiles, and what was not measured."""
