INSERT INTO installation (note) VALUES ('the database of the main server');
INSERT INTO users (login, name) VALUES ('admin', 'Администратор'), ('operator', 'Оператор смены'), ('noc', 'NOC');
INSERT INTO tariffs (title, kbit)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) SELECT CONCAT('Тариф ', i, '0 Мбит'), i * 10240 FROM n;
INSERT INTO hardware (title, address)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12) SELECT CONCAT('DPI-', i), CONCAT('198.51.100.', i) FROM n;
INSERT INTO subscribers (login, ip, tariff_id, comment)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
    SELECT CONCAT('user', LPAD(i, 6, '0')), CONCAT('100.64.', i DIV 250, '.', i MOD 250), 1 + i MOD 40, IF(i MOD 50 = 0, 'юридическое лицо', NULL) FROM n;
INSERT INTO jobs (queue, payload)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT 'default', REPEAT(MD5(i), 8) FROM n;
