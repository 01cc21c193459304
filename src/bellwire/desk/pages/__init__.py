"""The pages: one module for each, with what its forms do. Each offers `pages(site)`."""
