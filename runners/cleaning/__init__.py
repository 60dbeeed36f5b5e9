"""Removes what no kept release or run needs: what that is, and a removal that may be killed at any moment."""
