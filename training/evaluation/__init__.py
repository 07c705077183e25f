"""The procedure tried at earlier dates: beside rivals, beside peers, group by group."""
