"""Mail: from a template to a receipt for each recipient."""
