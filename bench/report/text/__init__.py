"""Reports as text: terminal tables, Markdown, CSV, JSON, JUnit, a badge."""
