NAME = "clock of two"
