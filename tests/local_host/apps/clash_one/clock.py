NAME = "clock of one"
