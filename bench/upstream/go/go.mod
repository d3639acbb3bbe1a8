module bench/upstream

go 1.20
