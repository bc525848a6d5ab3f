Feature: Writes are visible by clause

  Scenario: [1] A match does not see what later clauses create
    Given an empty graph
    And having executed:
      """
      CREATE (:P), (:P)
      """
    When executing query:
      """
      MATCH (p:P) CREATE (:P) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 2 |
    And the side effects should be:
      | +nodes | 2 |

  Scenario: [2] A later match sees all of it
    Given an empty graph
    When executing query:
      """
      UNWIND range(1, 3) AS i CREATE (:P {i: i}) WITH count(*) AS c MATCH (p:P) RETURN c, count(p) AS n
      """
    Then the result should be, in any order:
      | c | n |
      | 3 | 3 |
    And the side effects should be:
      | +nodes      | 3 |
      | +labels     | 1 |
      | +properties | 3 |

  Scenario: [3] SET is row by row
    Given an empty graph
    And having executed:
      """
      CREATE (:C {x: 0})
      """
    When executing query:
      """
      UNWIND range(1, 5) AS i MATCH (c:C) SET c.x = c.x + 1 RETURN max(c.x) AS x
      """
    Then the result should be, in any order:
      | x |
      | 5 |
    And the side effects should be:
      | +properties | 1 |
      | -properties | 1 |

  Scenario: [4] What was computed before SET stays
    Given an empty graph
    And having executed:
      """
      CREATE (:C {x: 1})
      """
    When executing query:
      """
      MATCH (c:C) WITH c, c.x AS old SET c.x = 5 RETURN old, c.x AS new
      """
    Then the result should be, in any order:
      | old | new |
      | 1   | 5   |
    And the side effects should be:
      | +properties | 1 |
      | -properties | 1 |

  Scenario: [5] MERGE finds what an earlier row created
    Given an empty graph
    When executing query:
      """
      UNWIND ['a', 'b', 'a'] AS n MERGE (p:P {n: n}) ON CREATE SET p.c = 1 ON MATCH SET p.c = p.c + 1 RETURN n, p.c AS c
      """
    Then the result should be, in any order:
      | n   | c |
      | 'a' | 2 |
      | 'b' | 1 |
      | 'a' | 2 |
    And the side effects should be:
      | +nodes      | 2 |
      | +labels     | 1 |
      | +properties | 4 |

  Scenario: [6] A failing statement leaves nothing
    Given an empty graph
    When executing query:
      """
      UNWIND [1, 0] AS x CREATE (:P {v: 1 / x})
      """
    Then an ArithmeticError should be raised at runtime: DivisionByZero
    And no side effects

  Scenario: [7] A node with relationships is not deleted without DETACH
    Given an empty graph
    And having executed:
      """
      CREATE (:A)-[:K]->(:B)
      """
    When executing query:
      """
      MATCH (a:A) DELETE a
      """
    Then a ConstraintVerificationFailed should be raised at runtime: DeleteConnectedNode
    And no side effects

  Scenario: [8] Deleting a node and its relationships in one statement
    Given an empty graph
    And having executed:
      """
      CREATE (:A)-[:K]->(:B)
      """
    When executing query:
      """
      MATCH (a:A)-[r]->() DELETE a, r
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes         | 1 |
      | -relationships | 1 |
      | -labels        | 1 |

  Scenario: [9] Counters and a transfer
    Given an empty graph
    And having executed:
      """
      CREATE (:Acc {id: 1, v: 10}), (:Acc {id: 2, v: 10})
      """
    When executing query:
      """
      MATCH (a:Acc {id: 1}), (b:Acc {id: 2}) SET a.v = a.v - 3, b.v = b.v + 3 RETURN a.v AS a, b.v AS b
      """
    Then the result should be, in any order:
      | a | b  |
      | 7 | 13 |
    And the side effects should be:
      | +properties | 2 |
      | -properties | 2 |

  Scenario: [10] The second side of a writing UNION returns what it wrote
    Given an empty graph
    When executing query:
      """
      CREATE (a:A {x: 1}) RETURN a UNION ALL CREATE (a:A {x: 2}) RETURN a
      """
    Then the result should be, in any order:
      | a           |
      | (:A {x: 1}) |
      | (:A {x: 2}) |

  Scenario: [11] And what it set
    Given an empty graph
    And having executed:
      """
      CREATE (:A {x: 0})
      """
    When executing query:
      """
      MATCH (n:A) SET n.x = 1 RETURN n UNION ALL MATCH (n:A) SET n.x = 2 RETURN n
      """
    Then the result should be, in any order:
      | n           |
      | (:A {x: 1}) |
      | (:A {x: 2}) |

  Scenario: [12] A subquery does not see what later clauses write, however late it is reached
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 2000) AS i CREATE (:A {i: i})
      """
    And having executed:
      """
      MATCH (n:A {i: 1999}) CREATE (n)-[:R]->(:M)
      """
    When executing query:
      """
      MATCH (n:A) WHERE NOT EXISTS { MATCH (n)-[:R]->(m) WITH m MATCH (m)-[:S]->(k) RETURN k }
      MATCH (x:M) CREATE (x)-[:S]->(:K) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n    |
      | 2000 |

  Scenario: [13] Lists with own writes in them outlive a pause
    Given an empty graph
    When executing query:
      """
      CREATE (a:P {id: 1}) WITH a UNWIND range(1, 300) AS i CREATE (a)-[:F]->(:Q {i: i})-[:F]->(:Z {i: i})
      WITH DISTINCT a MATCH (a)-[:F]->(b)-[:F*1..2]->(c) WITH b.i AS i, c.i AS j RETURN count(*) AS n, sum(i - j) AS d
      """
    Then the result should be, in any order:
      | n   | d |
      | 300 | 0 |

  Scenario: [14] So does a column that is such a list under another name
    Given an empty graph
    When executing query:
      """
      CREATE (a:P {id: 1}) WITH a UNWIND range(1, 300) AS i CREATE (a)-[:F]->(:Q {i: i})-[:F]->(:Z {i: i})
      WITH DISTINCT a MATCH (a)-[:F]->(b) WITH b AS c MATCH (c)-[:F]->(d) RETURN count(*) AS n, sum(c.i - d.i) AS d
      """
    Then the result should be, in any order:
      | n   | d |
      | 300 | 0 |
