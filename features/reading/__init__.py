"""From files and databases to tables in one shape: whose column is which, what its values say, what is refused."""
