module dolmen

go 1.24
