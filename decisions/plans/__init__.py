"""Who may get which action, what it would bring, and the choice under limits."""
