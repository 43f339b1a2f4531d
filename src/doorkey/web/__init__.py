"""The page: what a person sees of Doorkey in the browser, served to nobody else."""
