insert into notes (text) values ('written by a migration'), ('before the application started');
