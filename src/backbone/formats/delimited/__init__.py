"""Delimited text: how its characters become records, told from them alone, and read without losing one."""
