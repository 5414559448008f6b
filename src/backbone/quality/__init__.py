"""Rules: their vocabulary, their meaning in SQL, and what they find."""
