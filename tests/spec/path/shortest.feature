Feature: Shortest paths

  Background:
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {n: 'a'}), (b:P {n: 'b'}), (c:P {n: 'c'}), (d:P {n: 'd'}), (e:P {n: 'e'}), (lone:P {n: 'x'}),
             (a)-[:K {w: 1}]->(b), (b)-[:K {w: 5}]->(c), (a)-[:K {w: 1}]->(d), (d)-[:K {w: 1}]->(e), (e)-[:K {w: 1}]->(c)
      """

  Scenario: [1] The shortest is found
    When executing query:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) MATCH p = shortestPath((a)-[*..15]-(c)) RETURN [x IN nodes(p) | x.n] AS names, length(p) AS len
      """
    Then the result should be, in any order:
      | names           | len |
      | ['a', 'b', 'c'] | 2   |

  Scenario: [2] A condition on each relationship goes into the search
    When executing query:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) MATCH p = shortestPath((a)-[*..15]-(c)) WHERE all(r IN relationships(p) WHERE r.w < 3)
      RETURN [x IN nodes(p) | x.n] AS names
      """
    Then the result should be, in any order:
      | names                |
      | ['a', 'd', 'e', 'c'] |
    And the plan should show: conditions inside

  Scenario: [3] A condition on each node goes into the search
    When executing query:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) MATCH p = shortestPath((a)-[*..15]-(c)) WHERE none(x IN nodes(p) WHERE x.n = 'b')
      RETURN length(p) AS len
      """
    Then the result should be, in any order:
      | len |
      | 3   |

  Scenario: [4] No path gives no row
    When executing query:
      """
      MATCH (a {n: 'a'}), (x {n: 'x'}) MATCH p = shortestPath((a)-[*..15]-(x)) RETURN p
      """
    Then the result should be, in any order:
      | p |

  Scenario: [5] An optional one gives null
    When executing query:
      """
      MATCH (a {n: 'a'}), (x {n: 'x'}) OPTIONAL MATCH p = shortestPath((a)-[*..15]-(x)) RETURN p
      """
    Then the result should be, in any order:
      | p    |
      | null |

  Scenario: [6] Direction counts
    When executing query:
      """
      MATCH (a {n: 'c'}), (c {n: 'a'}) MATCH p = shortestPath((a)-[*..15]->(c)) RETURN p
      """
    Then the result should be, in any order:
      | p |

  Scenario: [7] The bound on the length counts
    When executing query:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) MATCH p = shortestPath((a)-[*..1]-(c)) RETURN p
      """
    Then the result should be, in any order:
      | p |

  Scenario: [8] All of the shortest
    Given having executed:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) CREATE (a)-[:K {w: 2}]->(:P {n: 'z'})-[:K {w: 2}]->(c)
      """
    When executing query:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) MATCH p = allShortestPaths((a)-[*..15]-(c)) RETURN [x IN nodes(p) | x.n] AS names
      """
    Then the result should be, in any order:
      | names           |
      | ['a', 'b', 'c'] |
      | ['a', 'z', 'c'] |

  Scenario: [9] A condition on the whole path enumerates
    When executing query:
      """
      MATCH (a {n: 'a'}), (c {n: 'c'}) MATCH p = shortestPath((a)-[*..6]-(c)) WHERE length(p) > 2 RETURN length(p) AS len
      """
    Then the result should be, in any order:
      | len |
      | 3   |
