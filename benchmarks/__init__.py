"""What the product costs and how much of a tenant's limit it uses, as ratios of one run."""
