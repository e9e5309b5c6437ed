-- The shop's database: what is in stock, what is reserved for whom, who has how much and what was charged. Plain SQL,
-- loaded once into an empty database.
--
-- To read how often an order took effect, under whatever name it was asked for:
--   select order_id, count(*) from orders group by order_id    -- goods taken and not put back
--   select order_id, count(*) from charges group by order_id   -- paid for

-- Inventory's half ---------------------------------------------------------------------------------------------------

create table stock (
  sku         text primary key,
  available   bigint not null check (available >= 0),
  price_cents bigint not null
);

-- The answer that every order_id got: one row each, whoever asks first. A row is never deleted: one that was refused, or
-- released later, says why, so that an attempt that comes late (or was held up) finds it and reserves nothing.
create table reservations (
  order_id    text primary key,
  account     text not null,
  sku         text not null,
  quantity    integer not null check (quantity > 0),
  total_cents bigint not null,
  refused     text,  -- why nothing is reserved, or no longer
  refused_as  text,  -- as which SQLSTATE of the shop
  asked_at    timestamptz not null default now(),
  check ((refused is null) = (refused_as is null))
);

-- The ledger of goods: what is out of stock and for whom. A row each time goods were taken, gone when they are put
-- back. One row per order is what `reserve` and the key of `reservations` are for; the table itself would hold more, as
-- the flaw not-idempotent shows.
create table withdrawals (
  withdrawal_id bigint generated always as identity primary key,
  order_id      text not null,
  sku           text not null,
  quantity      integer not null
);
create index withdrawals_by_order on withdrawals (order_id);

-- An order, as often as it has its goods.
create view orders as
  select order_id, account, taken.sku, taken.quantity, total_cents, asked_at
  from withdrawals taken join reservations using (order_id);

-- Takes goods out of stock for an order. False, and nothing, when there is not enough.
create function withdraw(wanted_order text, wanted_sku text, wanted_quantity integer) returns boolean
language plpgsql as $$
begin
  update stock set available = available - wanted_quantity
  where sku = wanted_sku and available >= wanted_quantity;
  if not found then
    return false;
  end if;
  insert into withdrawals (order_id, sku, quantity) values (wanted_order, wanted_sku, wanted_quantity);
  return true;
end
$$;

-- Takes goods out of stock and stores the order, or stores why not; at most once per order_id: a repetition, also a
-- concurrent one, waits for the first and finds its answer, be it a reservation or a refusal. Refused as SH001: nobody
-- sells this sku; as SH002: not enough in stock, or released before. Raises SH003 when order_id was used for something
-- else.
create function reserve(wanted_order text, wanted_account text, wanted_sku text, wanted_quantity integer)
returns setof reservations
language plpgsql as $$
declare
  price bigint;
  answer reservations;
begin
  select price_cents into price from stock where sku = wanted_sku;
  insert into reservations (order_id, account, sku, quantity, total_cents)
  values (wanted_order, wanted_account, wanted_sku, wanted_quantity, coalesce(price, 0) * wanted_quantity)
  on conflict (order_id) do nothing
  returning * into answer;

  if found then
    if price is null then
      answer.refused := format('nobody sells "%s"', wanted_sku);
      answer.refused_as := 'SH001';
    elsif not withdraw(wanted_order, wanted_sku, wanted_quantity) then
      answer.refused := format('not enough of "%s" in stock', wanted_sku);
      answer.refused_as := 'SH002';
    end if;
    if answer.refused is not null then
      update reservations set refused = answer.refused, refused_as = answer.refused_as where order_id = wanted_order;
    end if;
  else
    select * into answer from reservations where order_id = wanted_order;
    if (answer.account, answer.sku, answer.quantity) <> (wanted_account, wanted_sku, wanted_quantity) then
      raise exception 'order "%" was placed before, for something else', wanted_order using errcode = 'SH003';
    end if;
  end if;
  return next answer;
end
$$;

-- What the flaw not-idempotent calls in its place: whoever asks gets goods, as often as he asks.
create function reserve_again(wanted_order text, wanted_account text, wanted_sku text, wanted_quantity integer)
returns setof reservations
language plpgsql as $$
begin
  if exists (select from reservations where order_id = wanted_order and refused is null) then
    perform withdraw(wanted_order, wanted_sku, wanted_quantity);
  end if;
  return query select * from reserve(wanted_order, wanted_account, wanted_sku, wanted_quantity);
end
$$;

-- Puts the goods of an order back and strikes it out for good; a repetition changes nothing, nor does it for an order that
-- was refused. Answers the order; no row when there never was one.
create function release(unwanted_order text, reason text) returns setof reservations
language plpgsql as $$
declare
  struck reservations;
begin
  update reservations set refused = reason, refused_as = 'SH002' where order_id = unwanted_order and refused is null
  returning * into struck;
  if found then
    delete from withdrawals
    where withdrawal_id = (select min(withdrawal_id) from withdrawals where order_id = unwanted_order);
    update stock set available = available + struck.quantity where sku = struck.sku;
  end if;
  return query select * from reservations where order_id = unwanted_order;
end
$$;

insert into stock (sku, available, price_cents) values
  ('apple',  1000000000,   25),
  ('pear',   1000000000,   40),
  ('cherry', 1000000000,    5),
  ('durian',          0, 1250);  -- sold out for ever: ordering it is refused for good (FAILED_PRECONDITION)

-- Payments' half -----------------------------------------------------------------------------------------------------

create table accounts (
  account       text primary key,
  balance_cents bigint not null check (balance_cents >= 0)
);

-- The answer that every order_id got: one row each, whoever asks first. `refused` says why nothing was charged.
create table payments (
  order_id     text primary key,
  account      text not null,
  amount_cents bigint not null check (amount_cents > 0),
  refused      text
);

-- The ledger: what was really taken. One row per order is what `charge` and the key of `payments` are for; the table
-- itself would hold more, as the flaw not-idempotent shows.
create table charges (
  charge_id    bigint generated always as identity primary key,
  order_id     text not null,
  account      text not null,
  amount_cents bigint not null,
  charged_at   timestamptz not null default now()
);
create index charges_by_order on charges (order_id);

-- Takes the amount from the account and writes the ledger, or nothing and says why not.
create function take(wanted_order text, wanted_account text, wanted_cents bigint) returns text
language plpgsql as $$
begin
  update accounts set balance_cents = balance_cents - wanted_cents
  where account = wanted_account and balance_cents >= wanted_cents;
  if not found then
    return format('account "%s" cannot pay %s cents', wanted_account, wanted_cents);
  end if;
  insert into charges (order_id, account, amount_cents) values (wanted_order, wanted_account, wanted_cents);
  return null;
end
$$;

-- Charges an order at most once: a repetition, also a concurrent one, waits for the first and finds its answer, be it a
-- charge or a refusal. Raises SH003 when order_id was used for something else.
create function charge(wanted_order text, wanted_account text, wanted_cents bigint) returns setof payments
language plpgsql as $$
declare
  answer payments;
begin
  insert into payments (order_id, account, amount_cents) values (wanted_order, wanted_account, wanted_cents)
  on conflict (order_id) do nothing
  returning * into answer;

  if found then
    answer.refused := take(wanted_order, wanted_account, wanted_cents);
    if answer.refused is not null then
      update payments set refused = answer.refused where order_id = wanted_order;
    end if;
  else
    select * into answer from payments where order_id = wanted_order;
    if (answer.account, answer.amount_cents) <> (wanted_account, wanted_cents) then
      raise exception 'order "%" was charged before, to another account or with another amount', wanted_order
        using errcode = 'SH003';
    end if;
  end if;
  return next answer;
end
$$;

-- What the flaw not-idempotent calls in its place: whoever asks is charged, as often as he asks.
create function charge_again(wanted_order text, wanted_account text, wanted_cents bigint) returns setof payments
language plpgsql as $$
declare
  refusal text := take(wanted_order, wanted_account, wanted_cents);
begin
  insert into payments (order_id, account, amount_cents, refused)
  values (wanted_order, wanted_account, wanted_cents, refusal)
  on conflict (order_id) do update set refused = excluded.refused;
  return query select wanted_order, wanted_account, wanted_cents, refusal;
end
$$;

insert into accounts (account, balance_cents) values
  ('guest',  1000000000000000),  -- who orders without naming an account
  ('pauper',                0);  -- has nothing: ordering for it is refused for good (FAILED_PRECONDITION)
