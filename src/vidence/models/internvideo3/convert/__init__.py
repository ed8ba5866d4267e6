"""Turn a grouped-query checkpoint into an M²LA one: calibrate, choose, factorise, write, measure."""
