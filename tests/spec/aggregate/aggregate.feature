Feature: Aggregation

  Scenario: [1] Nothing in gives one row without keys and none with
    Given an empty graph
    When executing query:
      """
      MATCH (n:Nobody) RETURN count(*) AS n, sum(n.x) AS s, collect(n) AS c, avg(n.x) AS a, max(n.x) AS m
      """
    Then the result should be, in any order:
      | n | s | c  | a    | m    |
      | 0 | 0 | [] | null | null |

  Scenario: [2] Grouping treats 1 and 1.0 as one, and null as one
    Given any graph
    When executing query:
      """
      UNWIND [1, 1.0, null, null, 'a'] AS x RETURN x, count(*) AS n ORDER BY n DESC, x
      """
    Then the result should be, in any order:
      | x    | n |
      | 1    | 2 |
      | null | 2 |
      | 'a'  | 1 |

  Scenario: [3] DISTINCT inside
    Given any graph
    When executing query:
      """
      UNWIND [3, 1, 3, 2, 1] AS x RETURN count(DISTINCT x) AS n, sum(DISTINCT x) AS s, collect(DISTINCT x) AS c
      """
    Then the result should be (ignoring element order for lists):
      | n | s | c         |
      | 3 | 6 | [1, 2, 3] |

  Scenario: [4] Friends of friends by number of mutual friends
    Given an empty graph
    And having executed:
      """
      CREATE (me:P {n: 'me'}), (a:P {n: 'a'}), (b:P {n: 'b'}), (x:P {n: 'x'}), (y:P {n: 'y'}),
             (me)-[:K]->(a), (me)-[:K]->(b), (a)-[:K]->(x), (b)-[:K]->(x), (b)-[:K]->(y), (a)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (me:P {n: 'me'})-[:K]-(f)-[:K]-(fof)
      WHERE fof <> me AND NOT (me)-[:K]-(fof)
      RETURN fof.n AS who, count(DISTINCT f) AS mutual ORDER BY mutual DESC, who LIMIT 10
      """
    Then the result should be, in order:
      | who | mutual |
      | 'x' | 2      |
      | 'y' | 1      |

  Scenario: [5] Aggregates of aggregates through WITH
    Given any graph
    When executing query:
      """
      UNWIND range(1, 10) AS x WITH x % 3 AS k, count(*) AS n RETURN max(n) AS m, sum(n) AS s
      """
    Then the result should be, in any order:
      | m | s  |
      | 4 | 10 |

  Scenario: [6] Percentiles and deviation
    Given any graph
    When executing query:
      """
      UNWIND [10, 20, 30] AS x RETURN percentileCont(x, 0.5) AS c, percentileDisc(x, 0.5) AS d, stDevP(x) AS s
      """
    Then the result should be, in any order:
      | c    | d  | s                 |
      | 20.0 | 20 | 8.16496580927726  |

  Scenario: [7] An integer sum that does not fit fails
    Given any graph
    When executing query:
      """
      UNWIND [9223372036854775807, 1] AS x RETURN sum(x) AS s
      """
    Then an ArithmeticError should be raised at runtime: *

  Scenario: [8] A sum over a hop overflows as it does row by row
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 9223372036854775807}), (b:P {x: 1}), (c:P {x: -1}), (a)-[:K]->(b), (a)-[:K]->(c)
      """
    When executing query:
      """
      MATCH (p:P)-[:K]->(q) RETURN sum(p.x + q.x) AS s
      """
    Then an ArithmeticError should be raised at runtime: *

  Scenario: [9] A sum over a hop of large numbers of both signs
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 9223372036854775807}), (b:P {x: -9223372036854775807}), (c:P {x: 7}),
             (c)-[:K]->(a), (c)-[:K]->(b), (c)-[:K]->(c)
      """
    When executing query:
      """
      MATCH (p:P)-[:K]->(q) RETURN sum(q.x) AS s, count(*) AS n
      """
    Then the result should be, in any order:
      | s | n |
      | 7 | 3 |

  Scenario: [10] A rest that fails for a row without ends fails nobody
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 2}), (b:P {x: 0}), (c:P {x: 5}), (a)-[:K]->(c), (a)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (p:P)-[:K]->(q) RETURN sum(10 / p.x + q.x) AS s
      """
    Then the result should be, in any order:
      | s  |
      | 15 |

  Scenario: [11] Nulls, texts and floats among the ends of a hop
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 2}), (b:P), (c:P {x: 0.5}), (a)-[:K]->(c), (a)-[:K]->(b), (a)-[:K]->(a), (c)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (p:P)-[:K]->(q) RETURN p.x AS p, sum(p.x + q.x) AS s, count(*) AS n
      """
    Then the result should be, in any order:
      | p   | s   | n |
      | 2   | 6.5 | 3 |
      | 0.5 | 0   | 1 |

  Scenario: [12] Only what is true of both ends is summed
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 2}), (b:P {x: 3}), (a)-[:K]->(b), (b)-[:K]->(a), (a)-[:L]->(b), (a)-[:L]->(a)
      """
    When executing query:
      """
      MATCH (p:P)-[r]-(q) RETURN p.x AS p, sum(p.x * 10 + q.x) AS s, count(q) AS n
      """
    Then the result should be, in any order:
      | p | s  | n |
      | 2 | 91 | 4 |
      | 3 | 96 | 3 |

  Scenario: [13] What overflows before the end's part is added and not after it overflows all the same
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 9223372036854775807, y: -9223372036854775807}), (b:P {x: 1}), (a)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (p:P)-[:K]->(q) RETURN sum(p.x + q.x + p.y) AS s
      """
    Then an ArithmeticError should be raised at runtime: *

  Scenario: [14] Parts on both sides of the end's
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {x: 10, y: 100}), (b:P {x: 1}), (c:P {x: 2}), (a)-[:K]->(b), (a)-[:K]->(c), (a)-[:K]->(c)
      """
    When executing query:
      """
      MATCH (p:P)-[:K]->(q) RETURN sum(1000 + (p.x + (q.x + p.y))) AS s, sum(p.x * 2 + q.x) AS t, count(q) AS n
      """
    Then the result should be, in any order:
      | s    | t  | n |
      | 3335 | 65 | 3 |
