"""What is uploaded works by itself: the package holds the app, the whole app, and nothing but the app."""
