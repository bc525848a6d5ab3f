Feature: An error is of a row that is there

  # A row that a later test or hop of its clause takes away raises no error, wherever the plan computes the expression.

  Background:
    Given an empty graph
    And having executed:
      """
      CREATE (:A {x: 1}), (:B {x: 1})-[:T {x: 1}]->(:C)
      """

  Scenario: [1] A property of a deleted node, and nothing to match
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (m:Nothing) WHERE n.x = 1 RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [2] A label of a deleted node, and nothing to match
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (m:Nothing) WHERE n:A RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [3] A map of a deleted node, and nothing to match
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (m:Nothing) WHERE n {.x} IS NULL RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [4] An id compared with a property of a deleted node
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (m:Nothing) WHERE id(m) = n.x RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [5] A grouping key of a deleted node that has no relationships
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (n)-->(m) RETURN n.x AS x, count(DISTINCT m) AS m
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [6] A deleted node's property in a pattern
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (n {x: 1})-->(m) RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [7] A deleted node's label in a pattern
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (n:A)-->(m) RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [8] A filter before a count by the ends of a hop
    When executing query:
      """
      MATCH (a:C) MATCH (b:A) DELETE b WITH a, b MATCH (a)-->(c) WHERE b.x = 5 RETURN a.x AS x, count(c) AS n
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [9] A filter of an optional match
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n OPTIONAL MATCH (m:Nothing) WHERE n.x = 1 RETURN m
      """
    Then the result should be, in any order:
      | m    |
      | null |
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [10] A filter inside EXISTS
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n WHERE EXISTS { MATCH (m:Nothing) WHERE n.x = 1 } RETURN 1 AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -nodes      | 1 |
      | -labels     | 1 |
      | -properties | 1 |

  Scenario: [11] A row that stays raises it
    When executing query:
      """
      MATCH (n:A) DELETE n WITH n MATCH (m:B) WHERE m.x = 1 AND n.x = 1 RETURN m
      """
    Then a EntityNotFound should be raised at runtime: DeletedEntityAccess

  Scenario: [12] A deleted relationship, and nothing to match
    When executing query:
      """
      MATCH (:B)-[r]->() DELETE r WITH r MATCH (m:Nothing) WHERE r.x = 1 RETURN m.x AS x
      """
    Then the result should be empty
    And the side effects should be:
      | -relationships | 1 |
      | -properties    | 1 |
