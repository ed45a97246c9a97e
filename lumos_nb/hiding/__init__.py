"""Secrets, found in whatever is to be kept or shown, and replaced by dots.

One idea: there are three ways to know a secret, and each is a module: it was sent (`sent`), this process holds it
(`known`), or it looks like one (`shapes`). Whatever is kept goes through here, whoever keeps it.
"""
