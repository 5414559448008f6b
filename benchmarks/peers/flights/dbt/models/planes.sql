SELECT * FROM read_csv('data/planes.csv')
