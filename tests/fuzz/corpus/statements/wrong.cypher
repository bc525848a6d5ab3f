MATCH (a)-[:T]-(b WHERE 12abc RETURN 'open
