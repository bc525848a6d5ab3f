/* one */ EXPLAIN // two
MATCH (a) /* three */ RETURN a
