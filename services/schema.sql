-- The shop's database: what is in stock, and every order under its order_id. Plain SQL, loaded once into an empty database.

create table stock (
  sku         text primary key,
  available   bigint not null check (available >= 0),
  price_cents bigint not null
);

create table orders (
  order_id    text primary key,
  sku         text not null,
  quantity    integer not null check (quantity > 0),
  total_cents bigint not null,
  accepted_at timestamptz not null default now()
);

-- Takes goods out of stock and stores the order, both or neither, and at most once per order_id: a repetition, also a
-- concurrent one, finds the first order and is answered with it. Refusals are raised with an SQLSTATE of the shop:
-- SH001 nobody sells this sku, SH002 not enough in stock, SH003 order_id was used for something else.
create function reserve(wanted_order text, wanted_sku text, wanted_quantity integer) returns setof orders
language plpgsql as $$
declare
  price bigint;
  stored orders;
begin
  select price_cents into price from stock where sku = wanted_sku;
  if not found then
    raise exception 'nobody sells "%"', wanted_sku using errcode = 'SH001';
  end if;

  insert into orders (order_id, sku, quantity, total_cents)
  values (wanted_order, wanted_sku, wanted_quantity, price * wanted_quantity)
  on conflict (order_id) do nothing
  returning * into stored;

  if found then
    update stock set available = available - wanted_quantity
    where sku = wanted_sku and available >= wanted_quantity;
    if not found then
      raise exception 'not enough of "%" in stock', wanted_sku using errcode = 'SH002';
    end if;
  else
    select * into stored from orders where order_id = wanted_order;
    if stored.sku <> wanted_sku or stored.quantity <> wanted_quantity then
      raise exception 'order "%" was placed before, for something else', wanted_order using errcode = 'SH003';
    end if;
  end if;
  return next stored;
end
$$;

insert into stock (sku, available, price_cents) values
  ('apple',  1000000000,   25),
  ('pear',   1000000000,   40),
  ('cherry', 1000000000,    5),
  ('durian',          0, 1250);  -- sold out for ever: ordering it is refused for good (FAILED_PRECONDITION)
