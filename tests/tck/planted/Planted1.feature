# Each scenario here expects something false, but the first. The runner must see all of them.
Feature: Planted1 - wrong expectations of each kind

  Scenario: [1] right
    Given an empty graph
    When executing query:
      """
      CREATE (n:L {a: 1}) RETURN n.a AS a
      """
    Then the result should be, in any order:
      | a |
      | 1 |
    And the side effects should be:
      | +nodes      | 1 |
      | +labels     | 1 |
      | +properties | 1 |

  Scenario: [2] wrong-rows: another value
    Given any graph
    When executing query:
      """
      RETURN 1 AS a
      """
    Then the result should be, in any order:
      | a |
      | 2 |

  Scenario: [3] wrong-rows: a float is not an integer
    Given any graph
    When executing query:
      """
      RETURN 1 AS a
      """
    Then the result should be, in any order:
      | a   |
      | 1.0 |

  Scenario: [4] wrong-rows: a row more
    Given any graph
    When executing query:
      """
      UNWIND [1, 2] AS a RETURN a
      """
    Then the result should be, in any order:
      | a |
      | 1 |

  Scenario: [5] wrong-rows: another order
    Given any graph
    When executing query:
      """
      UNWIND [1, 2] AS a RETURN a ORDER BY a
      """
    Then the result should be, in order:
      | a |
      | 2 |
      | 1 |

  Scenario: [6] wrong-rows: another column name
    Given any graph
    When executing query:
      """
      RETURN 1 AS a
      """
    Then the result should be, in any order:
      | b |
      | 1 |

  Scenario: [7] wrong-rows: the elements of a list in another order
    Given any graph
    When executing query:
      """
      RETURN [1, 2] AS a
      """
    Then the result should be, in any order:
      | a      |
      | [2, 1] |

  Scenario: [8] wrong-rows: a path that runs the other way
    Given an empty graph
    And having executed:
      """
      CREATE (:A)-[:T]->(:B)
      """
    When executing query:
      """
      MATCH p = (:A)-->(:B) RETURN p
      """
    Then the result should be, in any order:
      | p                   |
      | <(:A)<-[:T]-(:B)>   |

  Scenario: [9] wrong-rows: a side effect that is not told
    Given an empty graph
    When executing query:
      """
      CREATE (:L)
      """
    Then the result should be empty
    And no side effects

  Scenario: [10] wrong-rows: a side effect that did not happen
    Given an empty graph
    When executing query:
      """
      CREATE (:L)
      """
    Then the result should be empty
    And the side effects should be:
      | +nodes  | 2 |
      | +labels | 1 |

  Scenario: [11] rows-for-error: no error comes
    Given any graph
    When executing query:
      """
      RETURN 1 AS a
      """
    Then a TypeError should be raised at runtime: *

  Scenario: [12] failed: another type
    Given any graph
    When executing query:
      """
      RETURN x
      """
    Then a TypeError should be raised at compile time: UndefinedVariable

  Scenario: [13] failed: another phase
    Given any graph
    When executing query:
      """
      RETURN x
      """
    Then a SyntaxError should be raised at runtime: UndefinedVariable

  Scenario: [14] failed: another detail
    Given any graph
    When executing query:
      """
      RETURN x
      """
    Then a SyntaxError should be raised at compile time: VariableAlreadyBound

  Scenario: [15] failed: an error in place of rows
    Given any graph
    When executing query:
      """
      RETURN x
      """
    Then the result should be, in any order:
      | x |
      | 1 |

  Scenario: [16] failed: a step that nobody knows
    Given any graph
    When executing query:
      """
      RETURN 1 AS a
      """
    Then the moon should be full
