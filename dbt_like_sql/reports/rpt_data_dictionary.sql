-- Every column of every table, as people search it.
select table_name, column_name, room, type, unit, description
from data_dictionary
