Feature: Errors say where

  Scenario: [1] An unknown variable
    Given any graph
    When executing query:
      """
      MATCH (n)
      RETURN m.x
      """
    Then a SyntaxError should be raised at compile time: UndefinedVariable
    And the error should stand at 2:8

  Scenario: [2] A clause that is not finished
    Given any graph
    When executing query:
      """
      MATCH (n RETURN n
      """
    Then a SyntaxError should be raised at compile time: UnexpectedSyntax
    And the error should stand at 1:10

  Scenario: [3] An unknown function
    Given any graph
    When executing query:
      """
      RETURN lenght([1])
      """
    Then a SyntaxError should be raised at compile time: UnknownFunction
    And the error should stand at 1:8

  Scenario: [4] A parameter that was not sent
    Given any graph
    When executing query:
      """
      RETURN $nobody
      """
    Then a ParameterMissing should be raised at compile time: MissingParameter
    And the error should stand at 1:8

  Scenario: [5] Columns count characters
    Given any graph
    When executing query:
      """
      RETURN 'äöü', x
      """
    Then a SyntaxError should be raised at compile time: UndefinedVariable
    And the error should stand at 1:15

  Scenario: [6] Temporal functions are known and not supported
    Given any graph
    When executing query:
      """
      RETURN date('2026-01-01')
      """
    Then a SyntaxError should be raised at compile time: *
    And the error should stand at 1:8
