"""Reports as pages: payloads, style, tables, templates, and the files they become."""
